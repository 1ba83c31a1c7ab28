/** Thrown inside a vendor's handler to answer with the vendor's own refusal. */
export class Refusal extends Error {
  readonly response: Response;

  constructor(response: Response) {
    super(`refused with ${response.status}`);
    this.response = response;
  }
}
