mod map; mod wire;
