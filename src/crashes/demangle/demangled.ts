/** Why a name that may be mangled stays as it was written. */
export type DemangleNote =
  /** It would come out longer than 4 KB, or is itself longer than c++filt takes. */
  | 'too long'
  /** It takes more than 50 ms of processor time. */
  | 'took too long'
  /** It makes the demangler fail. */
  | 'failed'
  /** The demangler can't be started here; asked again later it may be there. */
  | 'unavailable';

export interface Demangled {
  name: string;
  /** As c++filt prints it; the name itself where it isn't mangled or `note` says why not. */
  demangled: string;
  note: DemangleNote | null;
}
