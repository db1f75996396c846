declare module '*.tar.zst' {
  /** The path at which the embedded file can be read. */
  const path: string;
  export default path;
}
