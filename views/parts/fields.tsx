import type { FC, PropsWithChildren } from 'hono/jsx';

interface FieldProps {
  name: string;
  label: string;
  value?: string | undefined;
  error?: string | undefined;
}

interface TextFieldProps extends FieldProps {
  placeholder?: string | undefined;
  /** Read out with the field, for people who do not see the placeholder. */
  hint?: string | undefined;
  suggestions?: string[] | undefined;
  type?: 'text' | 'datetime-local' | 'password' | undefined;
  /** What a browser may fill in; nothing by default. */
  autocomplete?: 'username' | 'current-password' | 'new-password' | undefined;
  required?: boolean | undefined;
  wide?: boolean | undefined;
  mono?: boolean | undefined;
}

export const TextField: FC<TextFieldProps> = props => {
  const id = `f-${props.name}`;
  return (
    <Field id={id} label={props.label} hint={props.hint} error={props.error} wide={props.wide}>
      <input
        id={id}
        name={props.name}
        type={props.type}
        value={props.value ?? ''}
        placeholder={props.placeholder}
        class={props.mono ? 'mono' : undefined}
        list={props.suggestions?.length ? `${id}-list` : undefined}
        autocomplete={props.autocomplete ?? 'off'}
        required={props.required}
        autocapitalize="none"
        spellcheck={false}
        {...described(id, props)}
      />
      {props.suggestions?.length ? (
        <datalist id={`${id}-list`}>
          {props.suggestions.map(text => (
            <option value={text}></option>
          ))}
        </datalist>
      ) : null}
    </Field>
  );
};

interface SelectFieldProps extends FieldProps {
  /** Value and text. */
  options: [string, string][];
}

export const SelectField: FC<SelectFieldProps> = props => {
  const id = `f-${props.name}`;
  const value = props.value ?? '';
  const known = props.options.some(([option]) => option === value);
  const options: [string, string][] = known ? props.options : [...props.options, [value, value]];
  return (
    <Field id={id} label={props.label} error={props.error}>
      <select id={id} name={props.name} {...described(id, props)}>
        {options.map(([option, text]) => (
          <option value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
};

interface FrameProps {
  id: string;
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  wide?: boolean | undefined;
}

const Field: FC<PropsWithChildren<FrameProps>> = ({ id, label, hint, error, wide, children }) => (
  <div class={wide ? 'field wide' : 'field'}>
    <label for={id}>{label}</label>
    {children}
    {hint && (
      <span id={`${id}-hint`} class="unseen">
        {hint}
      </span>
    )}
    {error && (
      <span id={`${id}-error`} class="field-error">
        {error}
      </span>
    )}
  </div>
);

const described = (id: string, { hint, error }: { hint?: string | undefined; error?: string | undefined }) => ({
  'aria-invalid': error ? 'true' : undefined,
  'aria-describedby': [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined,
});

interface OtherErrorsProps {
  errors: Record<string, string> | undefined;
  /** Parameters without a field in the form. */
  names: string[];
}

/** Shows what is wrong with parameters that only the address has. */
export const OtherErrors: FC<OtherErrorsProps> = ({ errors, names }) => (
  <>
    {names
      .filter(name => errors?.[name])
      .map(name => (
        <p class="notice error" role="alert">
          {name}: {errors?.[name]}
        </p>
      ))}
  </>
);
