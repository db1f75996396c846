import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { OperatorError } from '../errors.ts';
import type { StoredRecord } from '../records/record.ts';
import type { Parsed } from './parser.ts';
import { ParserProblem } from './parser-child.ts';
import { openParser } from './run-parser.ts';

interface TryOptions {
  config?: string | undefined;
  classification?: string | undefined;
}

/** Lets a parser read files as payloads; returns whether it could read all of them. */
export async function tryParser(
  name: string,
  files: string[],
  options: TryOptions,
  print: (text: string) => Promise<void>,
): Promise<boolean> {
  const { config, directory } = loadConfig({ file: options.config });
  const payloads = files.map(file => ({ file, payload: readPayload(file) }));
  const parser = await openParser(name, join(directory, 'parsers'), config);
  const classification = options.classification ?? parser.classifications[0]!.replaceAll('*', 'any');
  let failed = false;
  try {
    await print(`${name} takes ${parser.classifications.join(', ')}.\n`);
    for (const { file, payload } of payloads) {
      const outcome = await parser.parse(sampleRecord(classification, payload)).then(describe, (error: Error) => {
        if (!(error instanceof ParserProblem)) throw error;
        failed = true;
        return `failed: ${error.message}`;
      });
      await print(`\n${file}:\n${outcome}\n`);
    }
  } finally {
    await parser.stop();
  }
  return !failed;
}

function describe(data: Parsed): string {
  return data === undefined ? 'no data' : JSON.stringify(data, null, 2);
}

function readPayload(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperatorError(`${file} can't be read: ${(cause as Error).message}`, 'Name files with one payload each.', {
      cause,
    });
  }
}

function sampleRecord(classification: string, payload: string): StoredRecord {
  const now = new Date();
  return {
    id: 1,
    receivedAt: now,
    capturedAt: Math.floor(now.getTime() / 1000),
    fleet: 'default',
    scrubbedBy: [],
    wayIn: 'headers',
    recordFormatVersion: 4,
    payloadFormatVersion: 1,
    classification,
    severity: 1,
    machineId: '0123456789abcdef0123456789abcdef',
    arch: 'x86_64',
    hostType: 'vendor|product|1.0',
    build: '1',
    kernelVersion: '6.18.4',
    systemName: 'sample',
    boardName: 'board|vendor',
    cpuModel: 'processor',
    biosVersion: '1.0',
    eventId: '0123456789abcdef0123456789abcdef',
    external: true,
    payload,
  };
}
