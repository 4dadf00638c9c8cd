// The live wire as the page reads it: bytes to frames and back. See proto/live.proto.
import { PbfReader, PbfWriter } from 'pbf';
import { readFrame, readWatch, writeFrame, writeWatch } from '#live';

/** What stands on the wire for "the sensor had nothing to say". */
export const NONE = 65535;

/** The hub's instance is a random 64-bit number: kept whole, or resuming by it would fail. */
class Reader extends PbfReader {
    // @ts-expect-error: a bigint where pbf promises a number
    readFixed64() {
        const value = this.dataView.getBigUint64(this.pos, true);
        this.pos += 8;
        return value;
    }
}

class Writer extends PbfWriter {
    /** @param {any} value a bigint */
    writeFixed64(value) {
        this.realloc(8);
        this.dataView.setBigUint64(this.pos, BigInt(value), true);
        this.pos += 8;
    }
}

/** @param {ArrayBuffer | Uint8Array} bytes */
export function decodeFrame(bytes) {
    return readFrame(new Reader(bytes));
}

/** @param {Partial<import('#live').Watch>} watch */
export function encodeWatch(watch) {
    const writer = new Writer();
    writeWatch(watch, writer);
    return writer.finish();
}

/** For tests: the hub's side. @param {Partial<import('#live').Frame>} frame */
export function encodeFrame(frame) {
    const writer = new Writer();
    writeFrame(frame, writer);
    return writer.finish();
}

/** For tests: what the page asked for. @param {Uint8Array} bytes */
export function decodeWatch(bytes) {
    return readWatch(new Reader(bytes));
}

/** A value of the wire in the metric's unit. @param {number} quantised
 *  @param {import('#live').Metric} metric */
export function valueOf(quantised, metric) {
    return quantised === NONE ? NaN : (metric.min ?? 0) + quantised * (metric.step ?? 1);
}
