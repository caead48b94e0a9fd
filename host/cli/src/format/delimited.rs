//! csv and tsv: a header row, quoting as RFC 4180, rows as they come.

use std::io::{self, Write};

use portolan::Cell;

use super::{ResultWriter, plain};

/// Rows with a delimiter between their cells.
pub(super) struct Delimited<'a> {
    output: csv::Writer<&'a mut dyn Write>,
}

impl<'a> Delimited<'a> {
    pub(super) fn new(output: &'a mut dyn Write, delimiter: u8) -> Self {
        let output = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .from_writer(output);
        Self { output }
    }
}

impl ResultWriter for Delimited<'_> {
    fn begin(&mut self, columns: &[String]) -> io::Result<()> {
        Ok(self.output.write_record(columns)?)
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        Ok(self.output.write_record(cells.iter().map(plain))?)
    }

    fn end(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
