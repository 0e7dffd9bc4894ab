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
    /// The places in the array of a block of `rows` rows and `columns` columns, row by row.
    pub fn places(self, rows: u32, columns: u32) -> impl Iterator<Item = usize> {
        let [width, first, columns] = [self.width, self.first, columns].map(|extent| extent as usize);
        (0..rows as usize).flat_map(move |row| (0..columns).map(move |column| row * width + first + column))
    }
}
