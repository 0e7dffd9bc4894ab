// How a result is stored: written (=), or added to what is there (+=) where ACCUMULATE is set.

override ACCUMULATE: bool = false;

// What a place holds after `result` where it held `old`, which is not read where it is only written.
fn put(old: f32, result: f32) -> f32 {
    if ACCUMULATE {
        return old + result;
    }
    return result;
}
