//! Merkle trees as RFC 9162 (2.1) has them: leaves and nodes are hashed under different prefixes, so that none can be
//! taken for the other.

use super::Digest;

/// The hash of a leaf.
#[must_use]
pub fn leaf(data: &[u8]) -> Digest {
    Digest::of(&[&[0], data])
}

fn node(left: Digest, right: Digest) -> Digest {
    Digest::of(&[&[1], &left.0, &right.0])
}

/// How many leaves stand left of the top: the largest power of two below their number.
fn split(leaves: usize) -> usize {
    1 << (usize::BITS - 1 - (leaves - 1).leading_zeros())
}

/// The root over leaves that are hashed already.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(&[]),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(split(many.len()));
            node(root(left), root(right))
        }
    }
}

/// A tree with all its levels, for the paths of many leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree(Vec<Vec<Digest>>);

impl Tree {
    /// The tree over leaves that are hashed already. Neighbours make a node; a last one without a neighbour rises as it
    /// is: the same tree as by [`root`].
    #[must_use]
    pub fn over(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last()
            && level.len() > 1
        {
            let above = level.chunks(2).map(|pair| match pair {
                [left, right] => node(*left, *right),
                alone => alone[0],
            });
            let above = above.collect();
            levels.push(above);
        }
        Self(levels)
    }

    /// What a leaf's reader needs to come to the root, from the leaf upwards; empty where there is no such leaf.
    #[must_use]
    pub fn path(&self, index: usize) -> Vec<Digest> {
        if self.0[0].get(index).is_none() {
            return Vec::new();
        }
        let beside = |(depth, level): (usize, &Vec<Digest>)| {
            let at = index >> depth;
            level.get(at ^ 1).copied()
        };
        self.0.iter().enumerate().filter_map(beside).collect()
    }
}

/// The root that a leaf and its path lead to (RFC 9162, 2.1.3.2); `None`: the path is no path of such a tree.
#[must_use]
pub fn climb(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut reached) = (index, size - 1, leaf);
    for beside in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            reached = node(*beside, reached);
            while at.is_multiple_of(2) && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            reached = node(reached, *beside);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(reached)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count).map(|n| leaf(&n.to_be_bytes())).collect()
    }

    /// The published test vectors of Certificate Transparency.
    #[test]
    fn the_roots_are_those_of_the_rfc() {
        let inputs = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let all: Vec<_> = inputs
            .iter()
            .map(|text| leaf(&hex::decode(text).expect("hex")))
            .collect();
        for (count, wanted) in roots.iter().enumerate() {
            assert_eq!(
                root(&all[..=count]).to_string(),
                *wanted,
                "{} leaves",
                count + 1
            );
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_climbs_to_its_root_and_no_other_does() {
        for size in 1..40 {
            let all = leaves(size);
            let (top, tree) = (root(&all), Tree::over(all.clone()));
            for index in 0..size {
                let way = tree.path(index);
                let climbed = |leaf, at: usize| climb(leaf, at as u64, size as u64, &way);
                assert_eq!(climbed(all[index], index), Some(top), "{index} of {size}");
                for other in 0..size {
                    if other != index {
                        assert_ne!(climbed(all[other], index), Some(top));
                        assert_ne!(climbed(all[index], other), Some(top));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn prop_a_path_that_is_too_long_or_too_short_leads_nowhere(size in 1_usize..200, index: prop::sample::Index) {
            let all = leaves(size);
            let index = index.index(size);
            let mut way = Tree::over(all.clone()).path(index);
            way.push(all[0]);
            prop_assert_eq!(climb(all[index], index as u64, size as u64, &way), None);
            way.pop();
            if way.pop().is_some() {
                prop_assert_eq!(climb(all[index], index as u64, size as u64, &way), None);
            }
            prop_assert_eq!(climb(all[index], size as u64, size as u64, &[]), None);
        }
    }
}
