// Preact without a compiler: html`<${Component} prop=${value} />`.
import htm from 'htm/mini';
import { h } from 'preact';

export const html = htm.bind(h);
