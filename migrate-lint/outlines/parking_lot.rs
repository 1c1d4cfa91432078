//! An outline of parking_lot. Nothing here is compiled.

pub struct Mutex<T> {
    value: T,
}
impl<T> Mutex<T> {
    pub fn new(v: T) -> Mutex<T> {}
    pub fn lock(&self) -> MutexGuard<T> {}
    pub fn try_lock(&self) -> Option<MutexGuard<T>> {}
    pub fn lock_arc(&self) -> MutexGuard<T> {}
}
pub struct MutexGuard<T> {
    value: T,
}
impl<T> std::ops::Deref for MutexGuard<T> {
    type Target = T;
}
pub struct RwLock<T> {
    value: T,
}
impl<T> RwLock<T> {
    pub fn new(v: T) -> RwLock<T> {}
    pub fn read(&self) -> RwLockReadGuard<T> {}
    pub fn write(&self) -> RwLockWriteGuard<T> {}
    pub fn upgradable_read(&self) -> RwLockUpgradableReadGuard<T> {}
    pub fn try_read(&self) -> Option<RwLockReadGuard<T>> {}
    pub fn try_write(&self) -> Option<RwLockWriteGuard<T>> {}
}
pub struct RwLockReadGuard<T> {
    value: T,
}
impl<T> std::ops::Deref for RwLockReadGuard<T> {
    type Target = T;
}
pub struct RwLockWriteGuard<T> {
    value: T,
}
impl<T> std::ops::Deref for RwLockWriteGuard<T> {
    type Target = T;
}
pub struct RwLockUpgradableReadGuard<T> {
    value: T,
}
impl<T> std::ops::Deref for RwLockUpgradableReadGuard<T> {
    type Target = T;
}
