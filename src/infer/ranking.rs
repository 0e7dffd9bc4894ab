//! How well scores tell items of one kind from the others.

use crate::data::quantile as of_sorted;

/// Areas under two curves of a score, over all thresholds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranking {
    /// Under the receiver's operating characteristic: the share of pairs, one of each kind, of which the positive item has
    /// the larger score; a tie counts half (Hanley and McNeil 1982).
    pub roc_auc: f64,
    /// The mean precision, weighted by the increase in recall at each threshold, without interpolation.
    pub average_precision: f64,
}

impl Ranking {
    /// Of scores of items, of which some are positive. None where one kind is missing, or a score is no number.
    pub fn of(scores: &[f64], positive: &[bool]) -> Option<Self> {
        let mut items: Vec<(f64, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
        if items.iter().any(|(score, _)| score.is_nan()) {
            return None;
        }
        items.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let all = items.iter().filter(|(_, positive)| *positive).count();
        let others = items.len() - all;
        if all == 0 || others == 0 {
            return None;
        }
        let (mut found, mut passed, mut pairs, mut precision) = (0, 0, 0.0, 0.0);
        // Items of one score come under a threshold together.
        for tied in items.chunk_by(|(a, _), (b, _)| a == b) {
            let new = tied.iter().filter(|(_, positive)| *positive).count();
            let wrong = tied.len() - new;
            pairs += wrong as f64 * (found as f64 + new as f64 / 2.0);
            (found, passed) = (found + new, passed + tied.len());
            precision += new as f64 * found as f64 / passed as f64;
        }
        let (all, others) = (all as f64, others as f64);
        Some(Self { roc_auc: pairs / (all * others), average_precision: precision / all })
    }
}

/// The score below which the share `at` of all scores lies, between two of them on the straight line that joins them. None
/// without scores.
pub fn quantile(scores: &[f64], at: f64) -> Option<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| of_sorted(&sorted, at.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_those_of_scikit_learn() {
        // scikit-learn 1.9: roc_auc_score and average_precision_score.
        let scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.4, 0.0];
        let positive = [false, false, true, true, true, false, true, false];
        let ranking = Ranking::of(&scores, &positive).unwrap();
        assert!((ranking.roc_auc - 0.625).abs() < 1e-12, "{ranking:?}");
        assert!((ranking.average_precision - 0.591_666_666_666_666_7).abs() < 1e-12, "{ranking:?}");
        assert_eq!(Ranking::of(&scores, &[true; 8]), None);
        assert_eq!(Ranking::of(&[f64::NAN, 1.0], &[true, false]), None);
        let perfect = Ranking::of(&[3.0, 2.0, 1.0], &[true, true, false]).unwrap();
        assert_eq!(perfect, Ranking { roc_auc: 1.0, average_precision: 1.0 });
    }

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        assert_eq!(quantile(&[4.0, 1.0, 2.0, 3.0], 0.5), Some(2.5));
        assert_eq!(quantile(&[4.0, 1.0], 1.0), Some(4.0));
        assert_eq!(quantile(&[7.0], 0.3), Some(7.0));
        assert_eq!(quantile(&[f64::INFINITY, f64::INFINITY], 0.5), Some(f64::INFINITY));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
