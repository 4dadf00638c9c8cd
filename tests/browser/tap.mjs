// Cases named as the sentence they prove: "ok" or "not ok" a line, and a count at the end.

export class Tap {
    passed = 0;
    failed = 0;

    /** Runs one case; what it returns, if anything, is said with it. */
    async check(sentence, prove) {
        try {
            const found = await prove();
            this.passed++;
            console.log(`ok ${sentence}${found ? ` # ${found}` : ''}`);
        } catch (error) {
            this.failed++;
            console.log(`not ok ${sentence}\n${String(error.stack ?? error).replace(/^/gm, '  # ')}`);
        }
    }

    /** The last line; the exit code. */
    end() {
        console.log(`${this.passed} passed, ${this.failed} failed`);
        return this.failed === 0 && this.passed > 0 ? 0 : 1;
    }
}
