//! Pipelines that a browser compiles side by side, as the native library does on all processors.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/side_by_side.js")]
extern "C" {
    fn begin();
    async fn settled();
}

/// Does what makes pipelines, and waits until they are compiled.
pub(crate) async fn side_by_side<T>(work: impl Future<Output = T>) -> T {
    begin();
    let made = work.await;
    settled().await;
    made
}
