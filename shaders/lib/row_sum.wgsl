// The sum over a workgroup of 64, in a fixed order, so that the same inputs give the same bits.

var<workgroup> partials: array<f32, 64>;

// Each lane's partial sum, added up: the result is the same in every lane. Two levels of 8 wait at two
// barriers, where a tree of halves would wait at six. Once per invocation: a second call would overwrite
// what slower lanes still read.
fn row_sum(lane: u32, partial: f32) -> f32 {
    partials[lane] = partial;
    workgroupBarrier();
    if lane < 8u {
        var sum = 0.0;
        for (var i = 0u; i < 8u; i++) {
            sum += partials[lane * 8u + i];
        }
        partials[lane * 8u] = sum;
    }
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < 8u; i++) {
        sum += partials[i * 8u];
    }
    return sum;
}
