// Pipelines side by side. wgpu asks a browser for one after the other, and each keeps all that follows waiting. What is asked for
// between `begin` and `settled` is compiled by as many threads as the browser gives; until then a stand-in is in its place.

class StandIn {
    #make;
    #pipeline;

    constructor(device, descriptor) {
        this.label = descriptor.label ?? "";
        this.#make = () => createComputePipeline.call(device, descriptor);
        this.compiled = device.createComputePipelineAsync(descriptor).then(pipeline => { this.#pipeline ??= pipeline; }, () => {});
    }

    // What is wanted early or was refused is made in the usual way: a refusal is then told where others are.
    get pipeline() {
        return this.#pipeline ??= this.#make();
    }

    getBindGroupLayout(group) {
        return this.pipeline.getBindGroupLayout(group);
    }
}

let createComputePipeline; // the browser's own
let open = 0; // calls of begin that are not settled
let compiling = [];

function takePlace() {
    const [device, pass] = [GPUDevice.prototype, GPUComputePassEncoder.prototype];
    const { setPipeline } = pass;
    ({ createComputePipeline } = device);
    device.createComputePipeline = function (descriptor) {
        if (!open) return createComputePipeline.call(this, descriptor);
        const standIn = new StandIn(this, descriptor);
        compiling.push(standIn.compiled);
        return standIn;
    };
    pass.setPipeline = function (pipeline) {
        setPipeline.call(this, pipeline instanceof StandIn ? pipeline.pipeline : pipeline);
    };
}

/** From here on pipelines are compiled side by side. */
export function begin() {
    if (!createComputePipeline) takePlace();
    open++;
}

/** Ends what `begin` began, when all is compiled. */
export async function settled() {
    open--;
    const all = compiling;
    compiling = [];
    await Promise.all(all);
}
