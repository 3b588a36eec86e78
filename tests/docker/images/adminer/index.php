<?php
// ADMINER_DEFAULT_SERVER stands in the form of whoever has not said otherwise, as in the official image.
if (!count($_GET) && getenv('ADMINER_DEFAULT_SERVER')) {
    $_POST['auth']['server'] ??= null;
    unset($_POST['auth']);
    header('Location: ?pgsql=' . urlencode(getenv('ADMINER_DEFAULT_SERVER')) . '&username=');
    exit;
}
require '/usr/share/adminer/adminer.php';
