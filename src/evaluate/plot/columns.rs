//! Many values as few marks: of each column of pixels the lowest and the highest.

/// What is drawn in one column of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Column {
    /// Where, in whole pixels.
    pub(super) x: i64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) last: f64,
}

/// Gathers points, whose `x` do not go back, into columns.
pub(super) fn columns(points: impl Iterator<Item = (f64, f64)>) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (x, y) in points {
        let x = x.round() as i64;
        match columns.last_mut() {
            Some(column) if column.x == x => {
                (column.low, column.high, column.last) = (column.low.min(y), column.high.max(y), y);
            }
            _ => columns.push(Column { x, low: y, high: y, last: y }),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_its_lowest_highest_and_last() {
        let points = [(0.2, 5.0), (0.4, 9.0), (-0.1, 1.0), (0.3, 4.0), (7.0, 2.0)];
        assert_eq!(
            columns(points.into_iter()),
            [Column { x: 0, low: 1.0, high: 9.0, last: 4.0 }, Column { x: 7, low: 2.0, high: 2.0, last: 2.0 }]
        );
    }
}
