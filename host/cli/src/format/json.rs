//! json and ndjson: an object for each row, its members in the order of the columns.

use std::io::{self, Write};

use portolan::Cell;

use super::ResultWriter;

/// Rows as objects, in an array or one a line.
pub(super) struct Json<'a> {
    output: &'a mut dyn Write,
    columns: Vec<String>,
    array: bool,
    rows: u64,
}

impl<'a> Json<'a> {
    pub(super) fn array(output: &'a mut dyn Write) -> Self {
        Self {
            output,
            columns: Vec::new(),
            array: true,
            rows: 0,
        }
    }

    pub(super) fn lines(output: &'a mut dyn Write) -> Self {
        Self {
            output,
            columns: Vec::new(),
            array: false,
            rows: 0,
        }
    }
}

impl ResultWriter for Json<'_> {
    fn begin(&mut self, columns: &[String]) -> io::Result<()> {
        self.columns = columns.to_vec();
        if self.array {
            write!(self.output, "[")
        } else {
            Ok(())
        }
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        if self.array {
            self.output
                .write_all(if self.rows == 0 { b"\n  " } else { b",\n  " })?;
        }
        self.rows += 1;
        // Written member by member: a map would sort the columns or need another crate's feature.
        self.output.write_all(b"{")?;
        for (place, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            if place > 0 {
                self.output.write_all(b",")?;
            }
            serde_json::to_writer(&mut *self.output, column)?;
            self.output.write_all(b":")?;
            match cell {
                Cell::Null => self.output.write_all(b"null")?,
                Cell::Text(text) => serde_json::to_writer(&mut *self.output, text)?,
                Cell::Integer(number) => write!(self.output, "{number}")?,
                Cell::Boolean(truth) => write!(self.output, "{truth}")?,
            }
        }
        self.output
            .write_all(if self.array { b"}" } else { b"}\n" })
    }

    fn end(&mut self) -> io::Result<()> {
        if self.array {
            self.output
                .write_all(if self.rows == 0 { b"]\n" } else { b"\n]\n" })?;
        }
        self.output.flush()
    }
}
