export { nacosRpc, peerKey } from '../grpc.ts';
