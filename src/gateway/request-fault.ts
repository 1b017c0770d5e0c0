import { rpcCodes, RpcFault } from "../core/json-rpc.ts";

/** A member of a request that is not as it must be: the client's fault, not the upstream server's. */
export class RequestFault extends RpcFault {
  constructor(message: string) {
    super({ code: rpcCodes.invalidParams, message });
  }
}
