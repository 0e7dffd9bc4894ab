// A workgroup's sum over one row, as the row's value. Its shader binds `value`, [rows]. Joined behind lib/row_sum.wgsl.

fn finish(row: u32, lane: u32, partial: f32) {
    let sum = row_sum(lane, partial);
    if lane == 0u {
        value[row] = sum;
    }
}
