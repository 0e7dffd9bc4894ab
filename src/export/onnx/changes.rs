//! The nodes between raw numbers and the networks: bytes, scales, the mean image, the likelihood's mean.

use super::build::{Attribute, Builder};
use super::proto::ElementType;
use crate::data::ScaleKind;
use crate::export::{Change, Mean};
use crate::train::{CENTER, FACTOR, SHIFT};

impl Builder<'_> {
    /// The nodes of a change of rows x; returns what it gives.
    pub(super) fn change(&mut self, place: &str, change: Change, x: String) -> String {
        match change {
            Change::FromBytes => self.with_number(place, "Div", &x, 255.0),
            Change::ToBytes => self.with_number(place, "Mul", &x, 255.0),
            Change::Center => self.with_tensor(place, "Sub", &x, CENTER),
            Change::Uncenter => self.with_tensor(place, "Add", &x, CENTER),
            Change::Scale(ScaleKind::Log1p) => self.logarithm(place, &x),
            Change::Unscale(ScaleKind::Log1p) => self.exponential(place, &x),
            Change::Scale(kind) => {
                let moved = self.with_tensor(place, "Sub", &x, SHIFT);
                let scaled = self.with_tensor(place, "Mul", &moved, FACTOR);
                if kind == ScaleKind::Robust { self.bent(place, &scaled, true) } else { scaled }
            }
            Change::Unscale(kind) => {
                let scaled = if kind == ScaleKind::Robust { self.bent(place, &x, false) } else { x };
                let moved = self.with_tensor(place, "Div", &scaled, FACTOR);
                self.with_tensor(place, "Add", &moved, SHIFT)
            }
            Change::Mean(Mean::Bernoulli) => self.node(place, "Sigmoid", &[&x], &[]),
            Change::Mean(Mean::ContinuousBernoulli) => self.continuous_mean(place, &x),
        }
    }

    fn with_number(&mut self, place: &str, operator: &str, x: &str, number: f32) -> String {
        let number = self.number(number);
        self.node(place, operator, &[x, &number], &[])
    }

    fn with_tensor(&mut self, place: &str, operator: &str, x: &str, name: &str) -> String {
        let tensor = self.tensor(name);
        self.node(place, operator, &[x, &tensor], &[])
    }

    fn cast(&mut self, place: &str, x: &str, to: ElementType) -> String {
        self.node(place, "Cast", &[x], &[("to", Attribute::Int(to as i64))])
    }

    // Of a tensor of the model, in 64 bits.
    fn double_tensor(&mut self, place: &str, name: &str) -> String {
        let tensor = self.tensor(name);
        self.cast(place, &tensor, ElementType::Double)
    }

    // (ln(1 + x) - shift) factor, in 64 bits, since 1 + x loses small numbers in 32.
    fn logarithm(&mut self, place: &str, x: &str) -> String {
        let [shift, factor] = [SHIFT, FACTOR].map(|name| self.double_tensor(place, name));
        let (x, one) = (self.cast(place, x, ElementType::Double), self.double(1.0));
        let above = self.node(place, "Add", &[&x, &one], &[]);
        let logarithm = self.node(place, "Log", &[&above], &[]);
        let moved = self.node(place, "Sub", &[&logarithm, &shift], &[]);
        let scaled = self.node(place, "Mul", &[&moved, &factor], &[]);
        self.cast(place, &scaled, ElementType::Float)
    }

    // e^(x / factor + shift) - 1
    fn exponential(&mut self, place: &str, x: &str) -> String {
        let [shift, factor] = [SHIFT, FACTOR].map(|name| self.double_tensor(place, name));
        let (x, one) = (self.cast(place, x, ElementType::Double), self.double(1.0));
        let scaled = self.node(place, "Div", &[&x, &factor], &[]);
        let moved = self.node(place, "Add", &[&scaled, &shift], &[]);
        let above = self.node(place, "Exp", &[&moved], &[]);
        let x = self.node(place, "Sub", &[&above, &one], &[]);
        self.cast(place, &x, ElementType::Float)
    }

    // The robust scale beyond 10: 10 + ln(1 + |x| - 10) with the sign of x, or the way back.
    fn bent(&mut self, place: &str, x: &str, on: bool) -> String {
        let size = self.node(place, "Abs", &[x], &[]);
        let straight = self.with_number(place, "Min", &size, ScaleKind::STRAIGHT as f32);
        let over = self.with_number(place, "Sub", &size, ScaleKind::STRAIGHT as f32);
        let beyond = self.node(place, "Relu", &[&over], &[]);
        let bent = if on {
            let above = self.with_number(place, "Add", &beyond, 1.0);
            self.node(place, "Log", &[&above], &[])
        } else {
            let above = self.node(place, "Exp", &[&beyond], &[]);
            self.with_number(place, "Sub", &above, 1.0)
        };
        let size = self.node(place, "Add", &[&straight, &bent], &[]);
        let sign = self.node(place, "Sign", &[x], &[]);
        self.node(place, "Mul", &[&sign, &size], &[])
    }

    // As in `shaders/lib/continuous.wgsl`: a series about zero, and beyond 1 the mean of the side below 1/2 or its complement.
    fn continuous_mean(&mut self, place: &str, y: &str) -> String {
        let square = self.node(place, "Mul", &[y, y], &[]);
        let mut series = self.with_number(place, "Mul", &square, -1.0 / 1_209_600.0);
        for coefficient in [1.0 / 30_240.0, -1.0 / 720.0] {
            let sum = self.with_number(place, "Add", &series, coefficient);
            series = self.node(place, "Mul", &[&sum, &square], &[]);
        }
        let slope = self.with_number(place, "Add", &series, 1.0 / 12.0);
        let odd = self.node(place, "Mul", &[&slope, y], &[]);
        let near = self.with_number(place, "Add", &odd, 0.5);
        let size = self.node(place, "Abs", &[y], &[]);
        let (one, zero) = (self.number(1.0), self.number(0.0));
        let far = self.node(place, "Max", &[&size, &one], &[]);
        let inverse = self.node(place, "Reciprocal", &[&far], &[]);
        let minus = self.node(place, "Neg", &[&far], &[]);
        let decay = self.node(place, "Exp", &[&minus], &[]);
        let rest = self.node(place, "Sub", &[&one, &decay], &[]);
        let ratio = self.node(place, "Div", &[&decay, &rest], &[]);
        let below = self.node(place, "Sub", &[&inverse, &ratio], &[]);
        let above = self.node(place, "Sub", &[&one, &below], &[]);
        let is_above = self.node(place, "Greater", &[y, &zero], &[]);
        let side = self.node(place, "Where", &[&is_above, &above, &below], &[]);
        let is_near = self.node(place, "Less", &[&size, &one], &[]);
        self.node(place, "Where", &[&is_near, &near, &side], &[])
    }
}
