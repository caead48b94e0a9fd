//! Results on standard output, in the format that was asked for.
//!
//! | format | several result sets | memory |
//! | --- | --- | --- |
//! | table, records | an empty line between them | one result set (a table's widths need all rows); records: constant |
//! | csv, tsv | an empty line between them, each with its header row | constant |
//! | json | one array for each statement, one after the other | constant |
//! | ndjson | one object on each line | constant |

mod delimited;
mod json;
mod records;
mod table;

use std::io::{self, Write};

use portolan::Cell;

pub(crate) use crate::args::Format;

/// Prints one result set: columns, rows one by one, the end.
pub(crate) trait ResultWriter {
    /// The columns' names, before any row.
    fn begin(&mut self, columns: &[String]) -> io::Result<()>;
    /// One row, with as many cells as there are columns.
    fn row(&mut self, cells: &[Cell]) -> io::Result<()>;
    /// After the last row.
    fn end(&mut self) -> io::Result<()>;
}

/// A writer of `format` onto `output`; `width` is the terminal's, if it is one.
pub(crate) fn writer<'a>(
    format: Format,
    output: &'a mut dyn Write,
    width: Option<u16>,
) -> Box<dyn ResultWriter + 'a> {
    match format {
        Format::Table => Box::new(table::Table::new(output, width)),
        Format::Csv => Box::new(delimited::Delimited::new(output, b',')),
        Format::Tsv => Box::new(delimited::Delimited::new(output, b'\t')),
        Format::Json => Box::new(json::Json::array(output)),
        Format::Ndjson => Box::new(json::Json::lines(output)),
        Format::Records => Box::new(records::Records::new(output)),
    }
}

/// Whether an empty line stands between two result sets of this format.
pub(crate) fn separates(format: Format) -> bool {
    !matches!(format, Format::Json | Format::Ndjson)
}

/// A cell as text; NULL is empty, as psql prints it.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Integer(number) => number.to_string(),
        Cell::Boolean(truth) => if *truth { "t" } else { "f" }.to_owned(),
    }
}

/// A cell for people: what would move the cursor or change colours is written out.
fn printable(cell: &Cell) -> String {
    let text = plain(cell);
    if !text.contains(|letter: char| letter.is_control() && letter != '\n') {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => shown.push(letter),
            letter if letter.is_control() => shown.extend(letter.escape_default()),
            letter => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(format: Format, rows: &[Vec<Cell>]) -> String {
        let mut output = Vec::new();
        {
            let mut writer = writer(format, &mut output, None);
            writer
                .begin(&["name".to_owned(), "n".to_owned(), "ok".to_owned()])
                .expect("begin");
            for row in rows {
                writer.row(row).expect("row");
            }
            writer.end().expect("end");
        }
        String::from_utf8(output).expect("utf-8")
    }

    fn sample() -> Vec<Vec<Cell>> {
        vec![
            vec![
                Cell::Text("a,\"b\"".to_owned()),
                Cell::Integer(1),
                Cell::Boolean(true),
            ],
            vec![
                Cell::Text("tab\there\nline".to_owned()),
                Cell::Null,
                Cell::Boolean(false),
            ],
        ]
    }

    #[test]
    fn csv_quotes_as_rfc_4180_and_starts_with_a_header() {
        assert_eq!(
            print(Format::Csv, &sample()),
            "name,n,ok\n\"a,\"\"b\"\"\",1,t\n\"tab\there\nline\",,f\n"
        );
    }

    #[test]
    fn tsv_quotes_as_csv_does() {
        assert_eq!(
            print(Format::Tsv, &sample()),
            "name\tn\tok\n\"a,\"\"b\"\"\"\t1\tt\n\"tab\there\nline\"\t\tf\n"
        );
    }

    #[test]
    fn json_is_one_array_and_ndjson_one_object_a_line() {
        assert_eq!(
            print(Format::Json, &sample()),
            "[\n  {\"name\":\"a,\\\"b\\\"\",\"n\":1,\"ok\":true},\n  {\"name\":\"tab\\there\\nline\",\"n\":null,\"ok\":false}\n]\n"
        );
        assert_eq!(print(Format::Json, &[]), "[]\n");
        assert_eq!(
            print(Format::Ndjson, &sample()[..1]),
            "{\"name\":\"a,\\\"b\\\"\",\"n\":1,\"ok\":true}\n"
        );
    }

    #[test]
    fn a_table_counts_its_rows() {
        let printed = print(Format::Table, &sample()[..1]);
        assert!(printed.starts_with(" name"), "{printed}");
        assert!(printed.ends_with("(1 row)\n"), "{printed}");
    }

    #[test]
    fn nothing_in_a_table_can_steer_the_terminal() {
        let row = vec![
            Cell::Text("\u{1b}[2J\u{9b}".to_owned()),
            Cell::Null,
            Cell::Null,
        ];
        for format in [Format::Table, Format::Records] {
            let printed = print(format, std::slice::from_ref(&row));
            assert!(printed.contains("\\u{1b}[2J\\u{9b}"), "{printed}");
        }
    }

    #[test]
    fn records_print_a_line_for_each_column() {
        assert_eq!(
            print(Format::Records, &sample()[..1]),
            "-[ RECORD 1 ]\nname | a,\"b\"\nn    | 1\nok   | t\n"
        );
    }
}
