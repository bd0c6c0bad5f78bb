//! What the adaptive detector takes the world to be: the numbers that describe signals and people, with their meaning,
//! unit and reason. The others stand beside the code that uses them.

/// The numbers of the model. They describe signals and people, not sites: a site is set by the cutoffs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// What ten times the distance takes from the level, in dB. Measured indoors: 15 to 22, the least in open offices.
    pub path_loss: f64,
    /// How fast people walk through an office, in m/s.
    pub walking_speed: f64,

    /// How likely someone who sat still has got up: this share per time sat so far, so that who has just come leaves
    /// again sooner than who has stayed for long.
    pub rise: f64,
    /// How often someone who sat still begins to stir (turns, reaches, stands), per second.
    pub stir: f64,
    /// How soon stirring ends in sitting still again, per second.
    pub settle: f64,
    /// How often stirring ends in walking, per second.
    pub set_off: f64,
    /// How soon someone who walks stops, per second.
    pub stop: f64,
    /// How often someone who walks turns round, per second.
    pub turn_round: f64,

    /// How often a still band gets into another place of the standing waves unnoticed, per second.
    pub displace: f64,
    /// How many samples a place's levels are remembered for: long enough for all channels, short enough to drift.
    pub place_memory: f64,
    /// The spread of single levels about a place's mean before the place is known, in dB: channels and moments together.
    pub place_spread: f64,
    /// The spread of a place's mean about path loss, in dB: standing waves, body and furniture.
    pub shadow: f64,
    /// How much of one place's shadow the next one nearby keeps, 0 to 1.
    pub shadow_kept: f64,
    /// How far a still wearer's body lowers the mean below path loss, in dB.
    pub body: f64,
    /// The spread of a place's own mean over a dozen samples beside the shadow, in dB.
    pub place_mean: f64,
    /// The spread of one level about the mean of a place just come to, in dB.
    pub level_noise: f64,
    /// The spread of one level of a known place, in dB: a receiver that repeats itself, and one that does not.
    pub noises: [f64; 2],
    /// The spread of levels about path loss while walking, in dB: every sample is from another place.
    pub walking_spread: f64,
    /// What stirring adds to the spread of levels at the seat, in dB.
    pub stirring_spread: f64,

    /// The spread of how loud a receiver and band are against what the cutoffs say, in dB.
    pub gain: f64,

    /// The seat's level above close before it is learnt, in dB, and the spread of that.
    pub seat_above_close: f64,
    /// See [`Parameters::seat_above_close`].
    pub seat_spread: f64,
    /// The least spread of a learnt seat, in dB: it has many places.
    pub seat_least_spread: f64,
    /// How long a seat's levels are remembered, in s of being at it.
    pub seat_memory: f64,

    /// The shortest time between independent samples, in s: nearer ones count in proportion.
    pub apart: f64,
    /// How sure that the wearer is gone, as log odds, before evidence for saying so gathers.
    pub away_odds: f64,
    /// How much of it must gather, in log odds times seconds.
    pub away_evidence: f64,
    /// How sure that the wearer is here, as a probability, before near is said.
    pub near_probability: f64,
}

impl Parameters {
    /// The settled values; `docs/ADAPTIVE.md` says from what, `benches/sensitivity.rs` what a fifth less or more of each
    /// does.
    pub const SETTLED: Self = Self {
        path_loss: 15.0,
        walking_speed: 1.1,
        rise: 0.3,
        stir: 0.05,
        settle: 1.0,
        set_off: 0.1,
        stop: 0.1,
        turn_round: 0.02,
        displace: 0.01,
        place_memory: 40.0,
        place_spread: 6.3,
        shadow: 7.0,
        shadow_kept: 0.5,
        body: 3.0,
        place_mean: 4.0,
        level_noise: 3.0,
        noises: [1.0, 3.5],
        walking_spread: 6.5,
        stirring_spread: 3.5,
        gain: 3.0,
        seat_above_close: 4.0,
        seat_spread: 6.0,
        seat_least_spread: 4.0,
        seat_memory: 900.0,
        apart: 0.1,
        away_odds: 4.0,
        away_evidence: 4.0,
        near_probability: 0.7,
    };
}
