"""Codes of planning and running: what only backends, data or training can tell."""

from __future__ import annotations

from synthspec.rules.documented.form import Documented, documented

CODES: tuple[Documented, ...] = (
    documented(
        "engine.backend-unsupported",
        "plan, execute",
        "No installed backend can compute this.",
        why=(
            "All operations of a plan are asked before anything runs, so nothing half-runs. Each backend says why not."
        ),
        bad='engine: {backend: "null"}',
        good="engine: {backend: diffusers}",
        refs="language 4; language 7",
    ),
    documented(
        "P405-4.ledger-unusable",
        "execute",
        "The ledger of a private training cannot be used.",
        why=(
            "Releases on the same data spend one budget, so none begins before the ledger has set its share aside: a"
            " database that is not there, data that another ledger accounts for, or an adjacency, unit or delta that"
            " does not compose with what was released before."
        ),
        bad="ledger: hospital-2027   # the data are in hospital-2026",
        good="ledger: hospital-2026",
        refs="P405-4; C40-516",
    ),
    documented(
        "P405-4.secret",
        "execute",
        "The file of secret seeds cannot be used.",
        why=(
            "Whoever has the seeds can take the noise away, and the same noise on sums that differ cancels in the difference of"
            " two releases: on other data, under another spec, by another version of the backend, or in the last bits of"
            " another processor. So the file is for its owner alone, and belongs to one execution, of which the noise is a"
            " function: what differs is told, and one of an older version replays with that version alone."
        ),
        bad="synthspec run spec.yaml --secret seeds-of-another-training.json",
        good="synthspec run spec.yaml --secret a-new-file.json",
        refs="P405-4; P405-8",
    ),
    documented(
        "data.digest",
        "plan, execute",
        "The data are not those that were pinned.",
        why="A digest in the spec or the plan says which bytes were meant. Other bytes give another model.",
        bad="sha256: <of last week>",
        good="sha256: <of the file that was reviewed>",
        refs="language 4; language 7",
    ),
    documented(
        "weights.unfit",
        "execute",
        "A file of weights is not what the network needs.",
        why=(
            "Weights come in safetensors, under the names and in the shapes that the network has. A pickle is code, and is"
            " not opened; weights of another network, loaded as far as they fit, would give features or a start that nobody"
            " named. Such files are opened before anything runs."
        ),
        bad="weights: pt_inception-2015-12-05.pth",
        good="weights: pt_inception-2015-12-05.safetensors   # the same state dict, converted",
        refs="P412-1; P405-8",
    ),
    documented(
        "weights.run-unverified",
        "execute",
        "The run that a training starts from does not verify, or has not signed these weights.",
        why=(
            "A file of weights says nothing of where it comes from. Where a run is named, its signed manifest does: who"
            " trained them, on what, and what was measured. Weights that were put into its folder since are not its own."
        ),
        bad="init_from: {run: runs/parent, weights: weights/vae.safetensors, sha256: <of another file>}",
        good="init_from: {run: runs/parent, weights: weights/vae.safetensors, sha256: <that the run signed>}",
        refs="P405-10; P405-8",
    ),
    documented(
        "weights.module",
        "execute",
        "The network of a module does not give the features that the plan means.",
        why=(
            "A distance is only comparable in one space. So a plan names the distribution and the version that offers the"
            " network, which gives one finite row of numbers a record, and no run takes another one in its place."
        ),
        bad="features: {name: module, entry: acme, ...}   # compiled with acme-features 1.2.0, run with 1.3.0",
        good="features: {name: module, entry: acme, ...}   # compiled and run with 1.3.0",
        refs="P412-1; P405-9",
    ),
    documented(
        "data.out-of-range",
        "plan, execute",
        "A record leaves the range that the SRef declares.",
        why=(
            "Scaling and clipping follow the declared range; a value outside is an error of the data or"
            " of the schema, and clipping it away would hide which."
        ),
        bad="range: [0, 15]",
        good="range: [0, 16]",
        refs="language 4; language 7",
    ),
    documented(
        "data.class-empty",
        "plan, execute",
        "No training record has a value that is to be drawn.",
        why="A condition that was never seen has no model: what came out would be the model of another one.",
        bad="distribution: {a: 0.5, never_seen: 0.5}",
        good="distribution: empirical",
        refs="language 4; language 7",
    ),
    documented(
        "data.no-conditions",
        "plan, execute",
        "No training record has any of the conditions.",
        why="An empirical distribution of nothing cannot be drawn from.",
        bad="distribution: empirical   # of a split without records",
        good="distribution: uniform",
        refs="language 4; language 7",
    ),
    documented(
        "data.not-finite",
        "plan, execute",
        "The training records hold values that are no finite numbers.",
        why="One value that is no number turns every average, and so every weight, into none.",
        bad="power_in: NaN",
        good="power_in: 3.2",
        refs="language 4; language 7",
    ),
    documented(
        "data.constant",
        "execute",
        "A column has one value in every training row.",
        why="A density over a single point is infinite there and nowhere else: a flow would be trained towards no end.",
        bad="site: 7   # in every row",
        good="site: 7   # left out of the SRef, or given a resolution",
        refs="language 4; S405-3",
    ),
    documented(
        "data.off-grid",
        "execute",
        "A value lies between two levels of its resolution.",
        why="A likelihood over levels has a mass for each of them. A value in between has none, and its likelihood is zero.",
        bad="pixels: 3.5   # resolution: 1",
        good="pixels: 4     # resolution: 1",
        refs="language 4; S405-1",
    ),
    documented(
        "data.orphan",
        "execute",
        "A record points to nothing.",
        why=(
            "A foreign key is the key of a record of another table, or nobody can join the two (P403-2). The message says"
            " how many records point to none, and where the first ones stand; `policy.orphans` of the SRef can leave them"
            " out. A learned foreign key is made of the members of its enum, so each of these has to be a key too."
        ),
        bad="order 17: site_id S9   # sites.csv has S1 to S8",
        good="order 17: site_id S8",
        refs="P403-2; language 4",
    ),
    documented(
        "data.no-value",
        "execute",
        "No training record has a value to fill gaps with.",
        why="A mean, a median or a mode of nothing is not there. Values of val and test are not looked at.",
        bad="impute: {ph: mean}   # every training record lacks ph",
        good="impute: {ph: {constant: 7.0}}",
        refs="language 4; P405-9",
    ),
    documented(
        "P405-5.too-few-readings",
        "execute",
        "The training records do not give a time base.",
        why=(
            "Offset, skew and J are fitted to at least eight readings in a row without a clock step, and spacings are drawn"
            " from those of neighbouring training records."
        ),
        bad="timebase over six records",
        good="timebase over a few hundred records of each window",
        refs="P405-5; C40-517",
    ),
    documented(
        "P405-5.clock-unusable",
        "execute",
        "The clock runs so wrong that nothing can be published by it.",
        why="A skew of a tenth of a second a second is no clock error: the units of tau_mono and ts do not agree.",
        bad="tau_mono in ms, declared as unit: s",
        good="tau_mono in ms, declared as unit: ms",
        refs="P405-5; P405-7",
    ),
    documented(
        "P405-6.path-step",
        "execute",
        "A node of the path does not lie behind the one before it.",
        why="Arc length increases strictly along gamma. A zero or negative step is an error of the table, or two paths in one.",
        bad="ell: 0, 1, 1, 2",
        good="ell: 0, 1, 2",
        refs="P405-6; S405-7",
    ),
    documented(
        "P405-6.below-floor",
        "execute",
        "T_arr is shorter than the reference speed allows.",
        why="With n_eff of at least 1 nothing arrives before L / c_ref. An earlier arrival is a wrong index or a wrong unit.",
        bad="n_eff: 0.468   # the part above 1",
        good="n_eff: 1.468",
        refs="P405-6; S405-7",
    ),
    documented(
        "P405-6.not-integrable",
        "execute",
        "The quadrature does not settle on the path.",
        why="Where two rules go on to disagree the integral is not known, and neither is delta_form.",
        bad="c_ref passes through 0",
        good="c_ref of a real medium",
        refs="P405-6; S405-7",
    ),
    documented(
        "P405-4.dataset-size-untrue",
        "plan, execute",
        "There are not as many records as the block says in public.",
        why=(
            "The greatest delta and the bound of MI follow from the number that is stated, and the public manifest repeats "
            "it under your signature. It is the number of the train split, and may be off by a tenth, or by what a split "
            "leaves to chance."
        ),
        bad="dataset_size: {public: true, value: 5000}, of 930 train records",
        good="dataset_size: {public: true, value: 930}",
        refs="P405-4; C40-516",
    ),
    documented(
        "P405-9.split-empty",
        "plan, execute",
        "A split has no records.",
        why="P405-9 asks for three sets, and each must have something in it once the data are read.",
        bad="{method: time, gap: 1000 d}",
        good="{method: time, gap: 60 s}",
        refs="P405-9; language 4; language 7",
    ),
    documented(
        "P405-9.split-key",
        "plan, execute",
        "The column that splits cannot do so.",
        why="A split along time needs an order, a split by column needs train, val or test in every row.",
        bad="{method: time, key: name}",
        good="{method: time, key: tau_mono}",
        refs="P405-9; language 4; language 7",
    ),
    documented(
        "P405-2.too-few-accepted",
        "plan, execute",
        "Too few candidates passed to give n records.",
        why=(
            "Sampling again is capped; when the cap is reached the answer is a finding, never fewer or "
            "worse records than asked for."
        ),
        bad="rejection: {max_attempts: 1}",
        good="rejection: {max_attempts: 8}",
        refs="P405-2; language 4; language 7",
    ),
    documented(
        "P405-3.diverged",
        "plan, execute",
        "Training went astray, and no rollback was left.",
        why="A loss that is no number cannot be trained on; what would be saved is not a model.",
        bad="rollback: {to: best, max_rollbacks: 0}",
        good="rollback: {to: best, lr_factor: 0.5, max_rollbacks: 3}",
        refs="P405-3; language 4; language 7",
    ),
)
