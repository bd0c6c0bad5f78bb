//! A place in the standing waves: where the band lies still, and which levels were heard since.

use super::model::{LEVELS, LOWEST, Model, NOISES};

/// The levels heard since the band may have come to lie still, the newest counting most.
///
/// Three channels and few paths make three frozen levels rather than one mean, so the levels themselves are kept.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Weight by level; all are to be divided by `scale`, which grows instead of each of them fading.
    weights: [f64; LEVELS],
    scale: f64,
    /// How many samples the weights stand for.
    count: f64,
    /// Their mean, in dBm.
    mean: f64,
}

impl Place {
    /// A place of which nothing was heard.
    pub(super) const EMPTY: Self = Self { weights: [0.0; LEVELS], scale: 1.0, count: 0.0, mean: 0.0 };

    /// Whether nothing was heard here.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0.0
    }

    /// How many samples are remembered.
    pub(super) fn count(&self) -> f64 {
        self.count
    }

    /// Their mean, in dBm.
    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    /// How likely a level is here, by how noisy the receiver is, if it is this likely at a place that is not yet known.
    pub(super) fn likelihood(&self, model: &Model, level: f64, unknown: f64) -> [f64; NOISES] {
        let place = index(level);
        std::array::from_fn(|noise| {
            let kernel = &model.kernels[noise];
            let reach = kernel.len() - 1;
            let (first, last) = (place.saturating_sub(reach), (place + reach).min(LEVELS - 1));
            let known: f64 = (first..=last).map(|at| self.weights[at] * kernel[place.abs_diff(at)]).sum();
            (known / self.scale + unknown) / (self.count + 1.0)
        })
    }

    /// What the mean becomes with one sample more.
    pub(super) fn mean_with(&self, level: f64, weight: f64, memory: f64) -> f64 {
        if self.is_empty() {
            return level;
        }
        self.mean + (level - self.mean) * weight / (self.count * (1.0 - weight / memory) + weight)
    }

    /// Takes a sample in.
    pub(super) fn add(&mut self, level: f64, weight: f64, memory: f64) {
        self.mean = self.mean_with(level, weight, memory);
        let kept = 1.0 - weight / memory;
        self.scale /= kept;
        self.weights[index(level)] += weight * self.scale;
        self.count = self.count * kept + weight;
        if self.scale > 1e6 {
            for at in &mut self.weights {
                *at /= self.scale;
            }
            self.scale = 1.0;
        }
    }
}

/// The whole level nearest to one in dBm.
fn index(level: f64) -> usize {
    ((level - LOWEST + 0.5).max(0.0) as usize).min(LEVELS - 1)
}
