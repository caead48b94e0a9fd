//! table: the way psql prints, for people.

use std::io::{self, Write};

use comfy_table::{
    CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, Table as Grid, TableStyle,
};
use portolan::Cell;

use super::{ResultWriter, printable};

/// Bars between columns, a rule below the header, no frame.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction('|'))
    .header_separator(LineStyle::none().fill('-').junction('+'))
    .content_lines(ContentLineStyle::none().junction('|'));

/// A table; it keeps its rows until the end, because a column is as wide as its widest cell.
pub(super) struct Table<'a> {
    output: &'a mut dyn Write,
    grid: Grid,
    rows: u64,
}

impl<'a> Table<'a> {
    pub(super) fn new(output: &'a mut dyn Write, width: Option<u16>) -> Self {
        let mut grid = Grid::new();
        grid.load_style(STYLE);
        if let Some(width) = width {
            grid.set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        Self {
            output,
            grid,
            rows: 0,
        }
    }
}

impl ResultWriter for Table<'_> {
    fn begin(&mut self, columns: &[String]) -> io::Result<()> {
        self.grid.set_header(columns);
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.rows += 1;
        self.grid.add_row(cells.iter().map(|cell| {
            let right = matches!(cell, Cell::Integer(_));
            let alignment = if right {
                CellAlignment::Right
            } else {
                CellAlignment::Left
            };
            comfy_table::Cell::new(printable(cell)).set_alignment(alignment)
        }));
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        for line in self.grid.lines() {
            writeln!(self.output, "{}", line.trim_end())?;
        }
        let plural = if self.rows == 1 { "" } else { "s" };
        writeln!(self.output, "({} row{plural})", self.rows)?;
        self.output.flush()
    }
}
