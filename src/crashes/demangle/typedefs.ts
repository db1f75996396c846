const CHAR_TRAITS = 'std::char_traits<char>';

/** Names that mangled names abbreviate: as libstdc++ prints them, and as c++filt does. */
const SPELLED_OUT: Record<string, string> = {
  'std::string': `std::basic_string<char, ${CHAR_TRAITS}, std::allocator<char> >`,
  'std::istream': `std::basic_istream<char, ${CHAR_TRAITS} >`,
  'std::ostream': `std::basic_ostream<char, ${CHAR_TRAITS} >`,
  'std::iostream': `std::basic_iostream<char, ${CHAR_TRAITS} >`,
};

const ABBREVIATED = /S[siod]/;
/**
 * Matches whole names only, not the end of `my::std::string` or the start of `std::string_view`. c++filt puts a space
 * between `>` and `>`.
 */
const TYPEDEF = /(?<![\w$:.\x80-\uffff])(std::(?:string|istream|ostream|iostream))(?![\w$.\x80-\uffff])(>?)/g;

/** c++filt prints the full types for which libstdc++ prints the usual typedefs. */
export function spellOutTypedefs(mangled: string, demangled: string): string {
  if (!ABBREVIATED.test(mangled)) return demangled;
  return demangled.replace(TYPEDEF, (_, typedef: string, closing: string) => {
    return SPELLED_OUT[typedef] + (closing && ' >');
  });
}
