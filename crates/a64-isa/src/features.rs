//! [`FeatureSet`]: which extensions a CPU has.

use crate::Feature;

/// A set of [`Feature`]s, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeatureSet(u128);

impl FeatureSet {
    pub const EMPTY: FeatureSet = FeatureSet(0);
    /// Everything the tables know.
    pub const ALL: FeatureSet = FeatureSet::of(Feature::ALL);

    #[must_use]
    pub const fn of(features: &[Feature]) -> FeatureSet {
        let mut set = FeatureSet::EMPTY;
        let mut n = 0;
        while n < features.len() {
            set = set.with(features[n]);
            n += 1;
        }
        set
    }

    #[must_use]
    #[inline(always)]
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 >> feature as u8 & 1 != 0
    }

    #[must_use]
    pub const fn with(self, feature: Feature) -> FeatureSet {
        FeatureSet(self.0 | 1 << feature as u8)
    }

    #[must_use]
    pub const fn without(self, feature: Feature) -> FeatureSet {
        FeatureSet(self.0 & !(1 << feature as u8))
    }

    #[must_use]
    pub const fn union(self, other: FeatureSet) -> FeatureSet {
        FeatureSet(self.0 | other.0)
    }

    #[must_use]
    pub const fn difference(self, other: FeatureSet) -> FeatureSet {
        FeatureSet(self.0 & !other.0)
    }

    /// The features, in the order of [`Feature::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL
            .iter()
            .copied()
            .filter(move |&feature| self.contains(feature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let set = FeatureSet::of(&[Feature::Base, Feature::Lse]);
        assert!(set.contains(Feature::Lse) && !set.contains(Feature::Bti));
        assert_eq!(
            set.without(Feature::Lse).iter().collect::<Vec<_>>(),
            [Feature::Base]
        );
        assert_eq!(FeatureSet::ALL.iter().count(), Feature::ALL.len());
        assert_eq!(FeatureSet::ALL.difference(set).union(set), FeatureSet::ALL);
    }
}
