import { fileOf } from './coredump.ts';
import { type Frame, NO_SYMBOL } from './frame.ts';
import { callFrame, type Json, listOf, objectOf, textOf } from './ureport-json.ts';

/** Classes that the virtual machine makes as it runs: their numbers and addresses are others in each process. */
const MADE_AT_RUN_TIME =
  /(\$\$Lambda|\$Proxy|Generated(?:Method|Constructor|SerializationConstructor)Accessor)[\d$]*(?:\/(?:0x)?[0-9a-f]+)?/g;

/** The innermost call first, as ABRT sends them. */
export function pythonFrames(stacktrace: unknown[]): Frame[] {
  return stacktrace.map(objectOf).map(frame => {
    const file = textOf(frame.file_name) || special(frame.special_file);
    return inFile(calledOr(frame.function_name, frame.special_function), file, frame);
  });
}

export function rubyFrames(stacktrace: unknown[]): Frame[] {
  return stacktrace
    .map(objectOf)
    .map(frame => inFile(calledOr(frame.function_name, frame.special_function), textOf(frame.file_name), frame));
}

/** Of the first thread, the frames of its first exception, which caused those that follow. */
export function javaFrames(threads: unknown[]): Frame[] {
  const [frames = []] = threads.map(thread => listOf(objectOf(thread).frames)).filter(list => list.length > 0);
  const calls: Frame[] = [];
  for (const frame of frames.map(objectOf)) {
    if (frame.is_exception !== true) calls.push(javaFrame(frame));
    else if (calls.length > 0) break;
  }
  return calls;
}

function javaFrame(frame: Json): Frame {
  const name = textOf(frame.name).replaceAll(MADE_AT_RUN_TIME, '$1#');
  return inFile(name === '' ? NO_SYMBOL : `${name}()`, textOf(frame.file_name), frame);
}

function inFile(name: string, file: string, { file_line: line }: Json): Frame {
  const source = file !== '' && typeof line === 'number' ? `${fileOf(file)}:${line}` : null;
  return { ...callFrame(name, file), source };
}

/** `main()`, or `<module>` for what is no function. */
function calledOr(functionName: unknown, specialFunction: unknown): string {
  const name = textOf(functionName);
  return name === '' ? special(specialFunction) || NO_SYMBOL : `${name}()`;
}

function special(name: unknown): string {
  const text = textOf(name);
  return text === '' ? '' : `<${text}>`;
}
