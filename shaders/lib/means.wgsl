// Means of loss terms, kept in a ring of steps. A shader's Params has the ring's `capacity`, the line `slot` of the first
// term, and `means`. Where there are fewer than five terms, bindings that are left over repeat another.

struct Mean {
    /// Values of the term.
    count: u32,
    /// What their sum is multiplied with.
    scale: f32,
    padding0: u32,
    padding1: u32,
}

/// The values of the first term, one number an image, or any others to be summed, [count].
@group(0) @binding(2) var<storage, read> values: array<f32>;
/// Those of the second term.
@group(0) @binding(3) var<storage, read> values1: array<f32>;
/// Those of the third term.
@group(0) @binding(4) var<storage, read> values2: array<f32>;
/// Those of the fourth term.
@group(0) @binding(5) var<storage, read> values3: array<f32>;
/// Those of the fifth term.
@group(0) @binding(6) var<storage, read> values4: array<f32>;
/// One line for each term, one number for each step, [slot + terms or more, capacity].
@group(0) @binding(7) var<storage, read_write> ring: array<f32>;

var<workgroup> partial: array<f32, 256>;

fn value_of(term: u32, i: u32) -> f32 {
    switch term {
        case 0u: { return values[i]; }
        case 1u: { return values1[i]; }
        case 2u: { return values2[i]; }
        case 3u: { return values3[i]; }
        default: { return values4[i]; }
    }
}

// Sums the values of a term over a workgroup of 256, in a fixed order. Ends at a barrier.
fn keep_mean(term: u32, step: u32, lane: u32) {
    let mean = params.means[term];
    var sum = 0.0;
    for (var i = lane; i < mean.count; i += 256u) {
        sum += value_of(term, i);
    }
    partial[lane] = sum;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            partial[lane] += partial[lane + half];
        }
        workgroupBarrier();
    }
    if lane == 0u {
        ring[(params.slot + term) * params.capacity + step % params.capacity] = mean.scale * partial[0];
    }
}
