/** A card number, CVV, account number or access key. It cannot be printed by accident: console.log, JSON, template
 * strings, loggers and error causes all show `[secret]`. Only sealing and the PayConex client call `expose()`.
 *
 * The value is a private field because nothing that walks an object, not even `util.inspect` with every option on, can
 * see one. The price: a clone or a spread of a Secret is empty, and two different Secrets look equal to a deep compare. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  expose(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  /** Node's hook for console.log and util.inspect; by its registered symbol, so that this package needs no Node module. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}
