/** Sections of a configuration, with the names of the command line's settings: `{ model: { latent: 2 } }`. */
export interface Settings {
    preset?: string;
    model?: Record<string, unknown>;
    train?: Record<string, unknown>;
    data?: Record<string, unknown>;
}

/** A model to train, with all its settings. */
export interface Preset {
    name: string;
    summary: string;
    settings: Settings;
}

/** What a device is; `kernels` is how its matrix products are chosen. */
export interface DeviceInfo {
    name: string;
    driver: string;
    kind: "DiscreteGpu" | "IntegratedGpu" | "VirtualGpu" | "Cpu" | "Other";
    kernels: string;
}

/** Items in each part, and what each item is. `columns` are those of a table. */
export interface ImagesInfo {
    train: number;
    validation: number;
    test: number;
    height: number;
    width: number;
    channels: number;
    bytes: boolean;
    columns: string[];
    remarks: string[];
}

/** A term of what is minimized: its mean per item, in its unit, summed over `over`. */
export interface Term {
    name: string;
    unit: string;
    over: string;
    weight: number;
    mean: number;
}

/** How far an epoch is, with the means of its steps so far. */
export interface Progress {
    epoch: number;
    step: number;
    steps: number;
    runStep: number;
    runSteps: number;
    batch: number;
    terms: Term[];
}

/** The results of an epoch. */
export interface EpochReport {
    epoch: number;
    step: number;
    best: boolean;
    seconds: number;
    imagesPerSecond: number;
    learningRate: number;
    objective: number;
    train: Term[];
    validation: Term[] | null;
}

/** What a call of `Trainer.advance` did. */
export interface Slice {
    progress?: Progress | null;
    /** Where the epoch ended. */
    epoch?: EpochReport | null;
    /** Whether a step was not finite, and training went back. */
    rewound: boolean;
    done: boolean;
    /** Where the device was lost: its words. Training goes on from `step`. */
    recovered?: string;
    step?: number;
}

/** What a trained model is. */
export interface TrainedInfo {
    height: number;
    width: number;
    channels: number;
    latent: number;
    /** Whether its codes have a known distribution, so that it can be sampled. */
    prior: boolean;
    epoch: number;
    step: number;
    settings: Settings;
}

/** Numbers for each item, under their names; the last is the score, the larger the more unusual. */
export interface Scores {
    columns: string[];
    by: string;
    rows: number[][];
}
