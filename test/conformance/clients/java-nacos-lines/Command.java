import com.alibaba.nacos.api.common.Constants;
import com.alibaba.nacos.api.naming.pojo.Instance;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One line of stdin, and its fields as the client takes them. */
record Command(JsonNode id, String op, String problem, JsonNode fields) {

    /** A command the driver refuses by itself, without asking the client. */
    static final class Bad extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Bad(String message) {
            super(message);
        }
    }

    static Command parse(String line) {
        try {
            JsonNode fields = Lines.JSON.readTree(line);
            JsonNode id = fields.get("id");
            return new Command(id == null ? NullNode.instance : id, fields.path("op").asText(), null, fields);
        } catch (IOException e) {
            // What the old Jackson of client 1.1 may throw.
            return new Command(NullNode.instance, "", "not JSON: " + e.getMessage(), NullNode.instance);
        }
    }

    /** For an op that the driver does not have. */
    Bad unknown() {
        return new Bad(problem != null ? problem : "unknown op: " + op);
    }

    String service() {
        return required("service");
    }

    String group() {
        return text("group", Constants.DEFAULT_GROUP);
    }

    List<String> clusters() {
        List<String> names = new ArrayList<>();
        fields.path("clusters").forEach(name -> names.add(name.asText()));
        return names;
    }

    Instance instance() {
        return instance(fields);
    }

    List<Instance> instances() {
        List<Instance> list = new ArrayList<>();
        required(fields, "instances").forEach(each -> list.add(instance(each)));
        return list;
    }

    Map<String, String> metadata() {
        return metadata(fields);
    }

    int integer(String name, int otherwise) {
        return fields.path(name).asInt(otherwise);
    }

    double decimal(String name, double otherwise) {
        return fields.path(name).asDouble(otherwise);
    }

    boolean flag(String name, boolean otherwise) {
        return fields.path(name).asBoolean(otherwise);
    }

    String text(String name, String otherwise) {
        return text(fields, name, otherwise);
    }

    String required(String name) {
        return required(fields, name).asText();
    }

    private static Instance instance(JsonNode fields) {
        Instance instance = new Instance();
        instance.setIp(required(fields, "ip").asText());
        instance.setPort(required(fields, "port").asInt());
        instance.setClusterName(text(fields, "cluster", Constants.DEFAULT_CLUSTER_NAME));
        instance.setWeight(fields.path("weight").asDouble(1.0));
        instance.setEnabled(fields.path("enabled").asBoolean(true));
        instance.setEphemeral(fields.path("ephemeral").asBoolean(true));
        instance.setMetadata(metadata(fields));
        return instance;
    }

    private static Map<String, String> metadata(JsonNode fields) {
        Map<String, String> metadata = new HashMap<>();
        fields.path("metadata").fields().forEachRemaining(e -> metadata.put(e.getKey(), e.getValue().asText()));
        return metadata;
    }

    private static String text(JsonNode fields, String name, String otherwise) {
        return fields.hasNonNull(name) ? fields.get(name).asText() : otherwise;
    }

    private static JsonNode required(JsonNode fields, String name) {
        if (!fields.hasNonNull(name)) {
            throw new Bad("missing field: " + name);
        }
        return fields.get(name);
    }
}
