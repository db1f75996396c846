import { afterAll } from 'bun:test';
import { stopTestServer } from './database.ts';

// Runs once around all test files: the PostgreSQL that they share goes with them.
afterAll(stopTestServer);
