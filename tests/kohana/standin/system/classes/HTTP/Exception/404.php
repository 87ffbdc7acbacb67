<?php defined('SYSPATH') OR die('No direct script access.');

class HTTP_Exception_404 extends HTTP_Exception {

	protected $_code = 404;

}
