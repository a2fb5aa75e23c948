//! How a record is shown and exported: one file per format, all made from the record alone.

pub mod terminal;
