//! Every place in a file where a use can stand.

#[tokio::main]
async fn main() {
    let task = async move { tokio::spawn(async { tokio::spawn(async {}) }) }; //~ returned //~ returned
    if tokio::spawn(f()).await.is_ok() {} //~ awaited
    match tokio::spawn(f()).await { //~ awaited
        Ok(x) if tokio::spawn(f()).is_finished() => tokio::spawn(g(x)), //~ dropped //~ dropped
        _ => return,
    };
    let closure = |x| tokio::spawn(x); //~ returned
    let Some(h) = tokio::spawn(f()).await else { tokio::spawn(g()); return }; //~ awaited //~ dropped
    for _ in [tokio::spawn(f()); 1] {} //~ dropped
    a.b(tokio::spawn(f())).c(&mut tokio::spawn(f())).await?; //~ passed //~ passed
    #[cfg(feature = "x")]
    tokio::spawn(f()); //~ dropped
    return tokio::spawn(f()); //~ returned
}

struct S;
impl S {
    const START: fn() = tokio::spawn; //~ ?
    fn method(&self) {
        tokio::spawn(f()); //~ dropped
    }
}
trait T {
    fn provided(&self) {
        tokio::spawn(f()); //~ dropped
    }
}
static ONCE: Lazy = Lazy::new(|| tokio::spawn(f())); //~ returned

mod inner {
    mod most {
        fn f() {
            tokio::spawn(f()); //~ dropped
            fn nested() {
                tokio::spawn(f()); //~ dropped
            }
        }
    }
}
#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn t() {
        tokio::spawn(f()); //~ dropped
    }
}
