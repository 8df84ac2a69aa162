//! [`Table`]: figures in rows, as CSV or JSON.

use core::fmt::{self, Write};
use std::collections::VecDeque;

/// A figure in a [`Table`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// A whole number.
    Integer(i128),
    /// A real number; one that is not finite is an empty cell in CSV, and `null` in JSON.
    Real(f64),
    /// A word without quotes, commas or backslashes.
    Word(&'static str),
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Integer(value) => value.fmt(f),
            Figure::Real(value) if value.is_finite() => value.fmt(f),
            Figure::Real(_) => Ok(()),
            Figure::Word(word) => f.write_str(word),
        }
    }
}

/// The last rows of figures with named columns. Adding a row is O(columns) and allocates nothing; beyond
/// 2¹⁶ cells, which are reserved at once, the table grows until it is full.
///
/// ```
/// use temporal_nets::{Figure, Table};
///
/// let mut table = Table::new(&["at_ns", "error"], 2);
/// for (at, error) in [(0, 0.5), (10, 0.25), (20, f64::NAN)] {
///     table.push(&[Figure::Integer(at), Figure::Real(error)]);
/// }
/// assert_eq!(table.to_csv(), "at_ns,error\n10,0.25\n20,\n");
/// assert_eq!(table.to_json(), "[{\"at_ns\":10,\"error\":0.25},\n{\"at_ns\":20,\"error\":null}]\n");
/// assert_eq!(table.dropped(), 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: &'static [&'static str],
    /// Row after row.
    cells: VecDeque<Figure>,
    most: usize,
    dropped: u64,
}

/// Cells that are reserved at once.
const RESERVED: usize = 1 << 16;

impl Table {
    /// A table that keeps the last `rows` rows.
    #[must_use]
    pub fn new(columns: &'static [&'static str], rows: usize) -> Self {
        let most = rows.saturating_mul(columns.len());
        Table { columns, cells: VecDeque::with_capacity(most.min(RESERVED)), most, dropped: 0 }
    }

    /// Adds a row; the oldest goes if there is no room.
    ///
    /// # Panics
    ///
    /// If it has not a cell for each column.
    pub fn push(&mut self, row: &[Figure]) {
        assert!(row.len() == self.columns.len(), "{} cells for {:?}", row.len(), self.columns);
        if self.most == 0 {
            self.dropped += 1;
            return;
        }
        if self.cells.len() == self.most {
            self.cells.drain(..row.len());
            self.dropped += 1;
        }
        self.cells.extend(row);
    }

    /// The columns' names.
    #[must_use]
    pub fn columns(&self) -> &'static [&'static str] {
        self.columns
    }

    /// The rows, the oldest first.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Vec<Figure>> + '_ {
        let columns = self.columns.len();
        (0..self.cells.len() / columns.max(1))
            .map(move |row| self.cells.range(row * columns..(row + 1) * columns).copied().collect())
    }

    /// Rows that there was no room for.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The names, then a line per row.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = self.columns.join(",");
        for row in self.rows() {
            for (n, cell) in row.iter().enumerate() {
                text.push(if n == 0 { '\n' } else { ',' });
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{cell}");
            }
        }
        text.push('\n');
        text
    }

    /// An array with an object per row, each on a line.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = String::from("[");
        for (n, row) in self.rows().enumerate() {
            text.push_str(if n == 0 { "{" } else { ",\n{" });
            for (k, (name, cell)) in self.columns.iter().zip(row).enumerate() {
                let comma = if k == 0 { "" } else { "," };
                let _ = match cell {
                    Figure::Word(word) => write!(text, "{comma}\"{name}\":\"{word}\""),
                    Figure::Real(value) if !value.is_finite() => {
                        write!(text, "{comma}\"{name}\":null")
                    }
                    Figure::Integer(_) | Figure::Real(_) => {
                        write!(text, "{comma}\"{name}\":{cell}")
                    }
                };
            }
            text.push('}');
        }
        text.push_str("]\n");
        text
    }
}
