#!/usr/bin/env node
// Committed, as npm links no program of a workspace whose file is a build output.
import '../build/main.js';
