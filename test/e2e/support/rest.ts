/** An answer of the gateway's HTTP surface. */
export interface RestAnswer {
  status: number;
  headers: Headers;
  text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever a test reads of it
  body: any;
}

export type Rest = (
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: object,
  headers?: Readonly<Record<string, string>>,
) => Promise<RestAnswer>;

/** Asks a gateway with one bearer, or with none. */
export function restClient(url: string, token: string | undefined): Rest {
  return async (method, path, body, headers = {}) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        accept: "application/json",
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: parsed(text) };
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
