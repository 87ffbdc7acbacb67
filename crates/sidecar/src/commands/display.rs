//! Numbers for people: spans of time, sizes, and tables of them.

/// Two units of a span of time, or one: `3 d 4 h`, `12 s`, `250 ms`.
pub(super) fn span(seconds: f64) -> String {
    if seconds < 1.0 {
        return format!("{:.0} ms", seconds.max(0.0) * 1000.0);
    }
    let mut parts = Vec::new();
    let mut rest = seconds;
    for (unit, length) in [("d", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)] {
        let count = (rest / length).floor();
        rest -= count * length;
        if count > 0.0 {
            parts.push(format!("{count:.0} {unit}"));
        } else if !parts.is_empty() {
            break;
        }
    }
    parts.truncate(2);
    parts.join(" ")
}

/// Bytes, rounded to three digits or so: `17 MiB`, `1.2 GiB`.
pub(super) fn size(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let Some((unit, shift)) = units.into_iter().find(|(_, shift)| bytes >> shift > 0) else {
        return format!("{bytes} B");
    };
    #[expect(clippy::cast_precision_loss, reason = "it is rounded to three digits")]
    let count = bytes as f64 / f64::from(1_u32 << shift);
    if count < 10.0 { format!("{count:.1} {unit}") } else { format!("{count:.0} {unit}") }
}

/// Lines of columns that stand under their titles, the first to the left and the others to the right.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        for (seconds, expected) in [
            (0.0, "0 ms"),
            (0.25, "250 ms"),
            (12.7, "12 s"),
            (60.0, "1 min"),
            (3723.0, "1 h 2 min"),
            (3605.0, "1 h"),
            (300_000.0, "3 d 11 h"),
        ] {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn sizes_have_one_unit() {
        for (bytes, expected) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (17 << 20, "17 MiB"), (5 << 28, "1.2 GiB")]
        {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn columns_stand_under_their_titles() {
        let rows = [["NAME", "COUNT"], ["a", "1"], ["longer", "100000"]];
        let rows: Vec<_> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(table(&rows), "NAME     COUNT\na            1\nlonger  100000\n");
    }
}
