//! One value under many types: a struct whose type parameter is only a tag.
//!
//! The tag tells the type checker what may be done with the value, and is nowhere in memory, so a
//! reference under one tag can be looked at as one under another. Which of these casts there are is
//! for the crate that declares the struct to decide: it gets a private method, and nobody else gets
//! anything. It is a macro because the struct must belong to that crate to have methods there.

/// Declares `pub struct Name<Tag = Default> { field: Value }`, with a private `tag` and a private
/// `retag`, which looks at the same value under another tag.
///
/// ```
/// struct Metres;
/// struct Feet;
///
/// asupersync_task::tagged! {
///     /// A length.
///     pub struct Length<Unit = Metres> { number: f64 }
/// }
///
/// let length: Length = Length::tag(1.0);
/// let wrong: &Length<Feet> = length.retag();
/// assert_eq!(wrong.number, 1.0);
/// ```
#[macro_export]
macro_rules! tagged {
    ($(#[$attr:meta])* pub struct $name:ident<$tag:ident = $default:ty> { $field:ident: $value:ty }) => {
        $(#[$attr])*
        #[repr(transparent)]
        pub struct $name<$tag = $default> {
            $field: $value,
            tag: ::core::marker::PhantomData<fn() -> $tag>,
        }

        impl<$tag> $name<$tag> {
            const fn tag($field: $value) -> Self {
                $name { $field, tag: ::core::marker::PhantomData }
            }

            const fn retag<Other>(&self) -> &$name<Other> {
                // SAFETY: both are `repr(transparent)` over the same type, so they have its layout
                // and validity; a `PhantomData` of a function pointer needs no drop and is Send and
                // Sync under every tag; the lifetime is that of `self`.
                unsafe { &*::core::ptr::from_ref(self).cast::<$name<Other>>() }
            }
        }
    };
}
