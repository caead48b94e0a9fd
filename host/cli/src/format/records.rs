//! records: a line for each column, for rows that are wider than the terminal.

use std::io::{self, Write};

use portolan::Cell;

use super::{ResultWriter, printable};

/// Rows as blocks of `column | value`.
pub(super) struct Records<'a> {
    output: &'a mut dyn Write,
    columns: Vec<String>,
    rows: u64,
}

impl<'a> Records<'a> {
    pub(super) fn new(output: &'a mut dyn Write) -> Self {
        Self {
            output,
            columns: Vec::new(),
            rows: 0,
        }
    }
}

impl ResultWriter for Records<'_> {
    fn begin(&mut self, columns: &[String]) -> io::Result<()> {
        self.columns = columns.to_vec();
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.rows += 1;
        writeln!(self.output, "-[ RECORD {} ]", self.rows)?;
        let width = self
            .columns
            .iter()
            .map(|column| column.chars().count())
            .max()
            .unwrap_or(0);
        for (column, cell) in self.columns.iter().zip(cells) {
            writeln!(self.output, "{column:width$} | {}", printable(cell))?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            writeln!(self.output, "(0 rows)")?;
        }
        self.output.flush()
    }
}
