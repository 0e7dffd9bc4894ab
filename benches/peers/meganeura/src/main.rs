//! The dense models in meganeura, on Vulkan or Metal through blade. It has no transposed convolution.

use meganeura::graph::NodeId;
use meganeura::{Graph, SessionConfig, build};
use peer_common::{EPSILON, LEARNING_RATE, MLP_CODE, Model, Noise, Run, VAE_CODE, stop};

/// A graph with the parameters that it needs: name, numbers, and the bound of their first values.
struct Builder {
    graph: Graph,
    batch: usize,
    parameters: Vec<(String, usize, f32)>,
}

impl Builder {
    // A parameter with first values between -`bound` and `bound`.
    fn parameter(&mut self, shape: &[usize], bound: f32) -> NodeId {
        let name = format!("p{}", self.parameters.len());
        let node = self.graph.parameter(&name, shape);
        self.parameters.push((name, shape.iter().product(), bound));
        node
    }

    fn dense(&mut self, x: NodeId, inputs: usize, outputs: usize) -> NodeId {
        let weight = self.parameter(&[inputs, outputs], (6.0 / (inputs + outputs) as f32).sqrt());
        let bias = self.parameter(&[outputs], 0.0);
        let product = self.graph.matmul(x, weight);
        self.graph.bias_add(product, bias)
    }

    fn hidden(&mut self, x: NodeId, inputs: usize, outputs: usize) -> NodeId {
        let x = self.dense(x, inputs, outputs);
        self.graph.relu(x)
    }

    // The sum of all numbers, times `scale`.
    fn sum(&mut self, x: NodeId, scale: f32) -> NodeId {
        let sum = self.graph.sum_all(x);
        let scale = self.graph.scalar(scale);
        self.graph.mul(sum, scale)
    }

    // The negative log-likelihood of Bernoulli pixels from logits, averaged over images.
    fn bernoulli(&mut self, logits: NodeId, images: NodeId) -> NodeId {
        let normalizer = self.graph.softplus(logits, 1.0);
        let product = self.graph.mul(logits, images);
        let product = self.graph.neg(product);
        let nll = self.graph.add(normalizer, product);
        self.sum(nll, 1.0 / self.batch as f32)
    }

    fn mlp(&mut self, images: NodeId) -> NodeId {
        let x = self.hidden(images, 784, 256);
        let code = self.hidden(x, 256, MLP_CODE);
        let x = self.hidden(code, MLP_CODE, 256);
        let logits = self.dense(x, 256, 784);
        self.bernoulli(logits, images)
    }

    fn vae(&mut self, images: NodeId) -> NodeId {
        let shape = [self.batch, VAE_CODE];
        let noise = self.graph.input("noise", &shape);
        let x = self.hidden(images, 784, 400);
        let mu = self.dense(x, 400, VAE_CODE);
        let logvar = self.dense(x, 400, VAE_CODE);
        let graph = &mut self.graph;
        let half = graph.constant(vec![0.5; shape[0] * shape[1]], &shape);
        let half_logvar = graph.mul(logvar, half);
        let deviation = graph.exp(half_logvar);
        let spread = graph.mul(deviation, noise);
        let z = graph.add(mu, spread);
        // mu^2 + e^logvar - logvar; its sum is two KLs and a constant, which has no gradient.
        let square = graph.mul(mu, mu);
        let variance = graph.mul(deviation, deviation);
        let both = graph.add(square, variance);
        let minus_logvar = graph.neg(logvar);
        let terms = graph.add(both, minus_logvar);
        let kl = self.sum(terms, 0.5 / self.batch as f32);
        let x = self.hidden(z, VAE_CODE, 400);
        let logits = self.dense(x, 400, 784);
        let nll = self.bernoulli(logits, images);
        self.graph.add(nll, kl)
    }
}

fn main() {
    let run = Run::from_arguments();
    let mut builder = Builder { graph: Graph::new(), batch: run.batch, parameters: Vec::new() };
    let images = builder.graph.input("images", &[run.batch, run.images.pixels()]);
    let (loss, constant) = match run.model {
        Model::Mlp => (builder.mlp(images), 0.0),
        Model::Vae => (builder.vae(images), -0.5 * VAE_CODE as f64),
        Model::Cnn | Model::VaeCnn => stop("meganeura has no transposed convolution"),
    };
    builder.graph.set_outputs(vec![loss]);
    let (mut session, _) = build(&builder.graph, SessionConfig::from_env());
    let mut noise = Noise(1);
    for (name, count, bound) in &builder.parameters {
        // Of the variance that a uniform number between the bounds has.
        let values: Vec<f32> =
            noise.normal(*count).iter().map(|value| value * bound / 3.0_f32.sqrt()).collect();
        session.set_parameter(name, &values);
    }
    session.set_adam(LEARNING_RATE as f32, 0.9, 0.999, EPSILON as f32);
    let device = session.device_information().device_name.clone();
    run.measure("meganeura", &device, || {
        let mut total = 0.0;
        for step in 0..run.steps() {
            session.set_input("images", &run.images.batch(step, run.batch));
            if run.model == Model::Vae {
                session.set_input("noise", &noise.normal(run.batch * VAE_CODE));
            }
            session.step();
            session.wait();
            total += f64::from(session.read_loss()) + constant;
        }
        total / run.steps() as f64
    });
}
