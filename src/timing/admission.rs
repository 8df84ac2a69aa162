//! Admission control: is a task accepted, and if not, which deadline would be missed by how much?
