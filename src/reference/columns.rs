//! Blocks of columns between arrays of different widths: the twin of `shaders/columns.wgsl`.

/// Columns of an array that are next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// Columns of the whole array.
    pub width: u32,
    /// The block's first.
    pub first: u32,
}

impl Block {
    /// Where the numbers of `rows` rows of the block, `columns` wide, stand in the array: row by row.
    pub fn places(self, rows: u32, columns: u32) -> impl Iterator<Item = usize> {
        let [width, first, columns] = [self.width, self.first, columns].map(|extent| extent as usize);
        (0..rows as usize).flat_map(move |row| (0..columns).map(move |column| row * width + first + column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: u32 = 3;
    const COLUMNS: u32 = 2;
    const NARROW: Block = Block { width: 5, first: 1 };
    const WIDE: Block = Block { width: 7, first: 4 };

    fn copy(x: &[f64], from: Block, to: Block) -> Vec<f64> {
        let mut y = vec![0.0; (ROWS * to.width) as usize];
        let places = from.places(ROWS, COLUMNS).zip(to.places(ROWS, COLUMNS));
        places.for_each(|(from, to)| y[to] += x[from]);
        y
    }

    // A copy is linear, so its gradient is its transpose: <copy x, dy> = <x, copy back dy>.
    #[test]
    fn copying_back_is_the_gradient_of_copying() {
        use crate::reference::compare::numeric_gradient;
        let wave = |count: u32, shift: f64| -> Vec<f64> {
            (0..count).map(|i| (shift + 1.7 * f64::from(i)).sin()).collect()
        };
        let (x, dy) = (wave(ROWS * NARROW.width, 0.1), wave(ROWS * WIDE.width, 0.7));
        let loss = |x: &[f64]| copy(x, NARROW, WIDE).iter().zip(&dy).map(|(y, dy)| y * dy).sum();
        numeric_gradient("x", &x, &copy(&dy, WIDE, NARROW), loss);
    }

    #[test]
    fn blocks_side_by_side_cover_an_array_once() {
        let at = |first| Block { width: 5, first };
        let mut places: Vec<usize> = at(0).places(4, 2).chain(at(2).places(4, 3)).collect();
        places.sort_unstable();
        assert_eq!(places, (0..20).collect::<Vec<usize>>());
    }
}
