//! A component that few schedulers have, and that none has without the feature `realtime`: then the
//! compiler leaves its code out.

use core::fmt;
#[cfg(not(feature = "realtime"))]
use core::marker::PhantomData;

pub(crate) struct Part<T> {
    #[cfg(feature = "realtime")]
    component: Option<T>,
    #[cfg(not(feature = "realtime"))]
    component: PhantomData<T>,
}

#[cfg(feature = "realtime")]
impl<T> Part<T> {
    pub(crate) const NONE: Self = Part { component: None };

    /// The component, if it `is_wanted`.
    pub(crate) fn when(is_wanted: bool, make: impl FnOnce() -> T) -> Self {
        Part { component: is_wanted.then(make) }
    }

    /// The component, if it can be made.
    pub(crate) fn try_with<E>(make: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        Ok(Part { component: Some(make()?) })
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        self.component.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.component.as_mut()
    }

    /// The component, which is made if there is none.
    pub(crate) fn get_or_make(&mut self, make: impl FnOnce() -> T) -> Option<&mut T> {
        Some(self.component.get_or_insert_with(make))
    }
}

#[cfg(not(feature = "realtime"))]
impl<T> Part<T> {
    pub(crate) const NONE: Self = Part { component: PhantomData };

    pub(crate) fn when(_is_wanted: bool, _make: impl FnOnce() -> T) -> Self {
        Self::NONE
    }

    pub(crate) fn try_with<E>(_make: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        Ok(Self::NONE)
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        None
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        None
    }

    pub(crate) fn get_or_make(&mut self, _make: impl FnOnce() -> T) -> Option<&mut T> {
        None
    }
}

impl<T: fmt::Debug> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self::NONE
    }
}
