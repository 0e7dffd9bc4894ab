// How a workgroup of 256 lanes takes a chunk of a [rows, channels] array where the work runs down its columns.
//
// Up to 32 columns stand side by side, and what lanes are left over take other rows of the same columns: few columns
// fill a workgroup too, and neighbouring lanes read neighbouring words. A workgroup takes one chunk of rows of one
// strip of columns. Lanes that find no column get no rows, and the last column to load from.

// Columns of a strip.
fn strip_width(channels: u32) -> u32 {
    return min(channels, 32u);
}

// Lanes to a column, which take its rows in turn: the step from one of a lane's rows to its next.
fn strip_lines(channels: u32) -> u32 {
    return 256u / strip_width(channels);
}

struct Strip {
    column: u32,
    /// Which of the column's lanes this is.
    line: u32,
    /// This lane's first row, and the row behind the chunk's last.
    row: u32,
    end: u32,
    chunk: u32,
}

// What `lane` of workgroup `number` takes of `rows` x `channels`, `chunk` rows to a workgroup.
fn strip(number: u32, lane: u32, rows: u32, channels: u32, chunk: u32) -> Strip {
    let width = strip_width(channels);
    let across = (channels + width - 1u) / width;
    let column = number % across * width + lane % width;
    let line = lane / width;
    let first = number / across * chunk;
    let inside = column < channels && line < strip_lines(channels) && first < rows;
    let end = select(0u, min(chunk, rows - first) + first, inside);
    return Strip(min(column, channels - 1u), line, first + line, end, number / across);
}
