//! Placeholder until the real one is merged.
#![allow(missing_docs, dead_code)]
use crate::policy::Policy;
use crate::task::TaskId;
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Admission {
    #[default]
    Off,
    Utilization,
    Exact,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum UnknownVerdict {
    #[default]
    Refuse,
    Accept,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    MissingWcet,
}
impl core::fmt::Display for Rejection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("no")
    }
}
#[derive(Debug)]
pub struct AdmissionControl;
impl AdmissionControl {
    pub fn new(_: Admission, _: Policy, _: UnknownVerdict) -> Self {
        AdmissionControl
    }
    pub fn remove(&mut self, _: TaskId) {}
    pub fn insert(&mut self, _: TaskId, _: ()) {}
    pub fn clear(&mut self) {}
}
