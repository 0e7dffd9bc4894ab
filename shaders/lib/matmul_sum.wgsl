// Where the sum of a product's parts goes: what lib/epilogue.wgsl asks of a product, for matmul_sum.wgsl.

struct Params {
    rows: u32,
    columns: u32,
    parts: u32,
    /// Numbers from the beginning of a line of C to that of the next, and of what is kept beside C.
    c_line: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// A row of C in memory: its first element, and whether there is such a row.
struct Place {
    first: u32,
    inside: bool,
}

// The sum is one.
alias Part = u32;

fn place(part: Part, row: u32) -> Place {
    return Place(row * params.c_line, row < params.rows);
}
