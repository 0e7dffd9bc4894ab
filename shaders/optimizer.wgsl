// One step of gradient descent, elementwise over flat [count] buffers of whole vec4s.
//
//     sgd:   g += weight_decay p;  m = beta1 m + g;  p -= learning_rate m
//     adam:  p -= learning_rate weight_decay p  where DECOUPLED (Loshchilov and Hutter 2017), else
//            g += weight_decay p
//            m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//            p -= learning_rate (m / correction1) / (sqrt(v / correction2) + epsilon)
//            (Kingma and Ba 2014, algorithm 1)
//
// p, m and v are updated in place. Moments below 1e-30 become zero: against any epsilon they change
// nothing, and as denormals they would run many times slower on CPUs. The rates are read before any branch: there a CPU
// driver reads them for all lanes at once, behind one for each.

override DECOUPLED: bool = false;

struct Params {
    count: u32,
    weight_decay: f32,
    /// The momentum, for sgd.
    beta1: f32,
    /// 1 - beta1, which f32 could not give to full precision from beta1.
    complement1: f32,
    beta2: f32,
    complement2: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The learning rate, and Adam's corrections 1 - beta1^t and 1 - beta2^t, [3].
@group(0) @binding(1) var<storage, read> rates: array<f32>;
/// g
@group(0) @binding(2) var<storage, read> gradients: array<vec4f>;
/// p
@group(0) @binding(3) var<storage, read_write> parameters: array<vec4f>;
/// m
@group(0) @binding(4) var<storage, read_write> first_moment: array<vec4f>;
/// v
@group(0) @binding(5) var<storage, read_write> second_moment: array<vec4f>;

// Leaves NaN as it is, so that it is seen.
fn flush(x: vec4f) -> vec4f {
    return select(x, vec4f(), abs(x) < vec4f(1e-30));
}

@compute @workgroup_size(64)
fn sgd(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
       @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    let rate = rates[0];
    if i * 4u < params.count {
        let p = parameters[i];
        let g = gradients[i] + params.weight_decay * p;
        let m = flush(params.beta1 * first_moment[i] + g);
        first_moment[i] = m;
        parameters[i] = p - rate * m;
    }
}

@compute @workgroup_size(64)
fn adam(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    let rate = rates[0];
    let correction1 = rates[1];
    let correction2 = rates[2];
    if i * 4u < params.count {
        var p = parameters[i];
        var g = gradients[i];
        if DECOUPLED {
            p -= rate * params.weight_decay * p;
        } else {
            g += params.weight_decay * p;
        }
        let m = flush(params.beta1 * first_moment[i] + params.complement1 * g);
        // The complement goes first, so that the square of a large gradient overflows later.
        let v = flush(params.beta2 * second_moment[i] + params.complement2 * g * g);
        first_moment[i] = m;
        second_moment[i] = v;
        let scale = sqrt(v / correction2) + params.epsilon;
        parameters[i] = p - rate * (m / correction1) / scale;
    }
}
