// An OPC-UA server by node-opcua. Orders come on standard input, one JSON object a line; each is answered with one
// line on standard output. It ends when its standard input does.
"use strict";
const { createInterface } = require("node:readline");
const {
  DataType, MessageSecurityMode, OPCUACertificateManager, OPCUAServer, SecurityPolicy, StatusCodes, Variant,
  VariantArrayType,
} = require("node-opcua");

const NAMESPACE = "urn:judge:plant";
const [folder] = process.argv.slice(2);
const variables = new Map();
let server;
let port = 0;

const orders = {
  // certificate: the path of a pair of files, NAME.pem and NAME.key.pem; port: that of before when it is left out
  async start({ certificate, limits = {}, maxSessions = 10 }) {
    const manager = new OPCUACertificateManager({ automaticallyAcceptUnknownCertificate: true, rootFolder: folder });
    await manager.initialize();
    server = new OPCUAServer({
      port,
      host: "127.0.0.1",
      hostname: "127.0.0.1",
      resourcePath: "/judge",
      serverCertificateManager: manager,
      userCertificateManager: manager,
      certificateFile: `${certificate}.pem`,
      privateKeyFile: `${certificate}.key.pem`,
      allowAnonymous: true,
      securityPolicies: [
        SecurityPolicy.None, SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes128_Sha256_RsaOaep,
        SecurityPolicy.Aes256_Sha256_RsaPss,
      ],
      securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
      userManager: { isValidUser: (name, password) => name === "operator" && password === "pw-canary-7f3a" },
      serverCapabilities: { maxSessions, operationLimits: limits },
    });
    await server.initialize();
    server.engine.addressSpace.registerNamespace(NAMESPACE);
    await server.start();
    port = server.endpoints[0].port;
    return { port, namespace: server.engine.addressSpace.getNamespace(NAMESPACE).index };
  },

  async stop() {
    await server.shutdown(1);
    variables.clear();
    return {};
  },

  // node: "s=…"; type: a name of DataType; value; dimensions for a matrix; declared: what the node says its type is
  add({ node, name, type, value, dimensions = null, status = "Good", writable = true, declared = type, below = null }) {
    const space = server.engine.addressSpace;
    const parent = below ? space.findNode(`ns=${space.getNamespaceIndex(NAMESPACE)};${below}`) : space.rootFolder.objects;
    const variable = space.getNamespace(NAMESPACE).addVariable({
      organizedBy: parent,
      nodeId: node,
      browseName: name ?? node,
      dataType: declared,
      accessLevel: writable ? "CurrentRead | CurrentWrite" : "CurrentRead",
      userAccessLevel: writable ? "CurrentRead | CurrentWrite" : "CurrentRead",
      valueRank: dimensions ? dimensions.length : Array.isArray(value) ? 1 : -1,
      arrayDimensions: dimensions ?? undefined,
    });
    variables.set(node, { variable, type, dimensions });
    return orders.set({ node, value, status });
  },

  // s=PREFIX0, s=PREFIX1, …, each with its number for a value
  addMany({ prefix, count, type }) {
    for (let i = 0; i < count; i++) orders.add({ node: `s=${prefix}${i}`, type, value: i });
    return {};
  },

  set({ node, value, status = "Good" }) {
    const { variable, type, dimensions } = variables.get(node);
    variable.setValueFromSource(variantOf(type, value, dimensions), StatusCodes[status]);
    return {};
  },

  get({ node }) {
    const { value, statusCode } = variables.get(node).variable.readValue();
    const plain = typeof value.value === "bigint" ? String(value.value) : value.value;
    return { value: plain, type: DataType[value.dataType], status: statusCode.name };
  },

  remove({ node }) {
    server.engine.addressSpace.deleteNode(variables.get(node).variable);
    variables.delete(node);
    return {};
  },

  sessions() {
    return { count: server.engine.currentSessionCount, subscriptions: server.engine.currentSubscriptionCount };
  },

  closeSessions() {
    for (const session of Object.values(server.engine._sessions)) {
      server.engine.closeSession(session.authenticationToken, true, "Terminated");
    }
    return {};
  },

  // The session stays; nothing more is ever published.
  silenceSubscriptions() {
    for (const session of Object.values(server.engine._sessions)) {
      for (const subscription of Object.values(session.publishEngine._subscriptions)) {
        clearInterval(subscription.timerId);
        subscription.timerId = null;
      }
    }
    return {};
  },

  terminateSubscriptions() {
    for (const session of Object.values(server.engine._sessions)) {
      for (const subscription of Object.values(session.publishEngine._subscriptions)) subscription.terminate();
    }
    return {};
  },
};

function variantOf(type, value, dimensions) {
  const dataType = DataType[type];
  const convert = converters[type] ?? ((raw) => raw);
  if (!Array.isArray(value)) return new Variant({ dataType, arrayType: VariantArrayType.Scalar, value: convert(value) });
  const arrayType = dimensions ? VariantArrayType.Matrix : VariantArrayType.Array;
  return new Variant({ dataType, arrayType, dimensions, value: value.flat(Infinity).map(convert) });
}

const words = (text) => {
  const bits = BigInt.asUintN(64, BigInt(text));
  return [Number(bits >> 32n), Number(bits & 0xffffffffn)];
};
const number = (raw) => (typeof raw === "string" ? Number(raw) : raw); // "NaN", "Infinity"
const converters = {
  Int64: words,
  UInt64: words,
  Float: number,
  Double: number,
  DateTime: (raw) => new Date(raw),
  ByteString: (raw) => Buffer.from(raw, "base64"),
  LocalizedText: (raw) => ({ text: raw, locale: "ko" }),
};

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { order, ...details } = JSON.parse(line);
    let answer;
    try {
      answer = await orders[order](details);
    } catch (error) {
      answer = { error: String(error.stack ?? error) };
    }
    process.stdout.write(`> ${JSON.stringify(answer)}\n`); // the library prints too
  })
  .on("close", () => process.exit(0));
